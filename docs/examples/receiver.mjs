// Takes signed webhooks. Start it: WEBHOOK_SECRET=whsec_… PORT=9000 node receiver.mjs
import { createServer } from "node:http";
import { isSigned } from "./verify.mjs";

const keys = process.env.WEBHOOK_SECRET.split(/\s+/); // while you rotate, both, with a space between
const seen = new Set(); // in earnest: a unique column in your database

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const body = Buffer.concat(chunks);
    const isOurs = isSigned(request.headers, body, keys);
    const uid = request.headers["webhook-id"];
    if (isOurs && !seen.has(uid)) {
      seen.add(uid);
      console.log(uid, body.toString());
    }
    response.writeHead(isOurs ? 204 : 401).end();
  });
}).listen(Number(process.env.PORT));
