// Takes signed webhooks. Start it: WEBHOOK_SECRET=whsec_… PORT=9000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const seen = new Set(); // in earnest: a unique column in your database

const isSame = (a, b) => a.length === b.length && timingSafeEqual(a, b);

createServer((request, response) => {
  const { "webhook-id": uid, "webhook-timestamp": at, "webhook-signature": given = "" } = request.headers;
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const body = Buffer.concat(chunks);
    const mac = createHmac("sha256", key).update(`${uid}.${at}.`).update(body).digest("base64");
    const isSigned = given.split(" ").some((one) => isSame(Buffer.from(one), Buffer.from(`v1,${mac}`)));
    const isFresh = Math.abs(Date.now() / 1000 - Number(at)) < 300;
    if (isSigned && isFresh && !seen.has(uid)) {
      seen.add(uid);
      console.log(uid, body.toString());
    }
    response.writeHead(isSigned && isFresh ? 204 : 401).end();
  });
}).listen(Number(process.env.PORT));
