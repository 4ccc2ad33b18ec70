export const users = { title: () => "users", load: async () => ({}), view: () => [] };
