// What a user's tags allow. The broker decides; the console only leaves out what it would refuse.

const IMPLIED = {
  administrator: ["administrator", "monitoring", "policymaker", "management"],
  monitoring: ["monitoring", "management"],
  policymaker: ["policymaker", "management"],
  management: ["management"],
};

const tags = (user) =>
  Array.isArray(user.tags)
    ? user.tags
    : String(user.tags ?? "")
        .split(",")
        .filter(Boolean);

export const is = (user, role) => tags(user).some((tag) => IMPLIED[tag]?.includes(role));
