export const user = { title: () => "user", load: async () => ({}), view: () => [] };
