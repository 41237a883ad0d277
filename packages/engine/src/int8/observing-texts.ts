/**
 * Texts over which the sizes of a model's channels are taken before it becomes int8. None of them is a probe
 * text: what is measured on those was not fitted to them. Which channels are large is the model's own, and
 * shows on few texts.
 */
export const OBSERVING_TEXTS: readonly string[] = [
  'yes',
  'Thursday, 7 p.m.',
  'What does the warranty cover?',
  'Two dogs are running across a snowy field.',
  'The museum is closed on public holidays, except for the garden.',
  'How long does a bank transfer to another country take?',
  'import numpy as np; x = np.zeros((3, 4), dtype=np.float32)',
  'error: expected ; before } token at line 118',
  'order #5531 shipped via parcel post, tracking number 1Z999AA10123456784',
  'Mix the flour with the butter, add the eggs one by one, and bake for forty minutes.',
  'The senator denied that any money had changed hands.',
  'Mitochondria produce most of the chemical energy that a cell needs.',
  'great value, works as described, would buy again!!!',
  'Terrible. It broke after a week and nobody answers the phone.',
  'There is no algorithm that decides for every program whether it halts.',
  'In 1969 two people walked on the Moon while a third one circled above them.',
  'Bitte beachten Sie, dass der Aufzug heute außer Betrieb ist.',
  'Il a neigé toute la nuit, et les trains sont en retard.',
  'El equipo perdió el partido en el último minuto.',
  'Мы встретимся завтра у входа в парк.',
  '这本书的第二章讲的是古代建筑。',
  '電車が遅れているので、少し待ってください。',
  'الكتاب على الطاولة بجانب النافذة',
  'הרכבת יוצאת בשעה שמונה',
  '😀 see you soon 👋',
  'https://example.org/path?query=value&page=2',
  'A river that carries much sand builds a delta where it meets the sea. The water slows down, the sand ' +
    'sinks, and the river has to find a new way around what it has built. Over centuries its arms move like a ' +
    'hand that feels its way across a table, and whole towns have been left behind by the water they lived from.',
];
