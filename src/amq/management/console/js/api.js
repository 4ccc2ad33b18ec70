// The HTTP API: requests, and its errors in words.

class ApiError extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

const WORDS = {
  0: "The broker does not answer. Is it running, and is the network there?",
  401: "You are not signed in, or this user may not do that.",
  403: "This user may not do that.",
  404: "It does not exist (any more).",
  405: "The broker does not know this request.",
  413: "That is too large for the broker.",
  500: "The broker failed to answer; its log says why.",
  503: "The broker cannot answer now.",
};

// Percent-encodes every part: path("queues", "/", "a b") -> "queues/%2F/a%20b".
export const path = (...parts) => parts.map(encodeURIComponent).join("/");

export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? "?" + new URLSearchParams(given) : "";
}

export const url = (where) => new URL("api/" + where, document.baseURI);

// One request. Answers the decoded JSON, or null when there is none; throws ApiError.
export async function call(method, where, { body, headers, signal } = {}) {
  let response;
  try {
    response = await fetch(url(where), {
      method,
      signal,
      cache: "no-store",
      redirect: "error",
      credentials: "same-origin",
      // A page elsewhere cannot make a browser send this one, and it keeps the browser's own password box away.
      headers: {
        "x-requested-with": "XMLHttpRequest",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, WORDS[0]);
  }
  const text = await response.text();
  if (response.ok) return text ? parse(text, response.status) : null;
  throw new ApiError(response.status, reason(text, response.status));
}

export const get = (where, signal) => call("GET", where, { signal });

// For what a user may lack the role for, or an older broker does not have.
export async function getIfAllowed(where, signal, otherwise = null) {
  try {
    return await get(where, signal);
  } catch (error) {
    if ([401, 403, 404, 405].includes(error.status)) return otherwise;
    throw error;
  }
}

function parse(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, "The broker answered something that is no JSON.");
  }
}

function reason(text, status) {
  try {
    const answer = JSON.parse(text);
    const said = answer.reason ?? answer.error;
    // RabbitMQ's way to say that there is nothing of that name.
    if (said && said !== "Not Found") return typeof said === "string" ? said : JSON.stringify(said);
  } catch {
    // Not from the API itself; the status must do.
  }
  return WORDS[status] ?? `The broker answered with status ${status}.`;
}
