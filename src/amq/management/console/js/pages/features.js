export const features = { title: () => "features", load: async () => ({}), view: () => [] };
