/**
 * Texts on which the int8 form of a model is compared with its float32 form: short and long, plain and odd, in
 * several languages, since channels that only some texts excite are what 8 bits get wrong.
 */
export const PROBE_TEXTS: readonly string[] = [
  'First do it, then do it right, then do it better.',
  'How do I reset my password?',
  'The cat sat on the mat and watched the rain.',
  'invoice 2024-10831: 3 x USB-C cable, 12.90 EUR each, paid',
  'A man is playing a guitar on the stage.',
  'Nobody knew that the bridge had been closed since Monday.',
  'photosynthesis',
  'ok',
  '42',
  'Why is the sky blue during the day and red in the evening?',
  'The quick brown fox jumps over the lazy dog.',
  'function add(a, b) { return a + b; } // both must be numbers',
  'SELECT name, price FROM products WHERE price < 20 ORDER BY price DESC',
  'Cheap flights from Oslo to Lisbon in March, one stop at most.',
  'Her speech was short, warm, and entirely without notes.',
  'Interest rates rose by a quarter of a point for the third time this year.',
  'WARNING: disk /dev/sda1 is 97 % full (412 of 425 GB used)',
  'Take two tablets a day with water, and see a doctor if the fever lasts longer than three days.',
  'The committee has postponed its decision until all members have read the report.',
  'I love this phone! The battery lasts two days and the screen is gorgeous :-)',
  'Worst hotel ever. Dirty room, rude staff, no hot water.',
  'Water boils at 100 °C at sea level, and at about 70 °C on the top of Mount Everest.',
  'Der schnelle braune Fuchs springt über den faulen Hund.',
  'Où se trouve la gare la plus proche, s’il vous plaît ?',
  'La biblioteca abre a las nueve de la mañana y cierra a las ocho.',
  'Быстрая коричневая лиса прыгает через ленивую собаку.',
  '敏捷的棕色狐狸跳过了懒狗。',
  '今天的会议改到明天下午三点。',
  '速い茶色の狐がのろまな犬を飛び越える。',
  'ما هو أقرب طريق إلى المحطة؟',
  'מזג האוויר יהיה נאה מחר',
  '🎉🎉 We won!!! 🏆 #champions',
  'The history of the city begins with a fishing village at the mouth of the river. In the thirteenth ' +
    'century merchants built a wall around it, and within two generations its market was known far beyond ' +
    'the region. Fires destroyed it twice; each time it was built again in stone, with wider streets and a ' +
    'larger harbour. Today little of the old town is left but the church, two towers, and the names of the lanes.',
  'To install the package, open a terminal, change into the directory of your project, and run the command ' +
    'below. If it fails with a permission error, do not run it as an administrator: change the owner of the ' +
    'directory instead. When the command has finished, restart the server, and check in the log that the new ' +
    'version is in use. Should the old version still answer, clear the cache of your browser.',
];
