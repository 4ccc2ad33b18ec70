export const vhosts = { title: () => "vhosts", load: async () => ({}), view: () => [] };
