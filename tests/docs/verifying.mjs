// Holds cases, given as JSON on standard input, against the verifier of the guide and npm's `standardwebhooks`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isSigned } from "../../docs/examples/verify.mjs";

const { Webhook } = createRequire(new URL("../vendor/", import.meta.url))("standardwebhooks");
const { cases, secret } = JSON.parse(readFileSync(0, "utf8"));

function isTaken({ headers, body, keys }) {
  try {
    new Webhook(keys[0]).verify(Buffer.from(body, "base64").toString(), headers);
    return true;
  } catch {
    return false;
  }
}

const at = new Date();
const body = '{"title":"Nabór"}';
const signature = new Webhook(secret).sign("msg_npm", at, body);
const headers = {
  "webhook-id": "msg_npm",
  "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
  "webhook-signature": signature,
};
console.log(
  JSON.stringify({
    ours: cases.map((one) => isSigned(one.headers, Buffer.from(one.body, "base64"), one.keys)),
    npm: cases.map(isTaken),
    signedByNpm: { headers, body, isTaken: isSigned(headers, Buffer.from(body), [secret]) },
  }),
);
