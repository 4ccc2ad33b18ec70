export const logs = { title: () => "logs", load: async () => ({}), view: () => [] };
