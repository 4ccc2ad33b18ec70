export const policies = { title: () => "policies", load: async () => ({}), view: () => [] };
