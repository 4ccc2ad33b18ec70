export const definitions = { title: () => "definitions", load: async () => ({}), view: () => [] };
