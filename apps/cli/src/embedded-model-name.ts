/** The model that comes with the code: real shapes, random weights. */
export const EMBEDDED_MODEL = 'embedded';
