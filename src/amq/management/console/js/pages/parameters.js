export const parameters = { title: () => "parameters", load: async () => ({}), view: () => [] };
