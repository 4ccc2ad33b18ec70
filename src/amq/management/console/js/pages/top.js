export const top = { title: () => "top", load: async () => ({}), view: () => [] };
