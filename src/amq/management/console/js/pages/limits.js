export const limits = { title: () => "limits", load: async () => ({}), view: () => [] };
