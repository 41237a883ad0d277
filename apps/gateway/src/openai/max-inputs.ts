/** Most texts of a call, as many as OpenAI takes: clients cut their lists there. */
export const MAX_INPUTS = 2_048;
