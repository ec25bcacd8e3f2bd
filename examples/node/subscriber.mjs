// Reads an agency's own stream: NETRAL_BROKER, NETRAL_SEED and NETRAL_AGENCY (`BKN`, or `BKN/prov:16`) say which.
// `npm install`, then `node subscriber.mjs`. Remember the ids you handled in your own database.
import { connect, nkeyAuthenticator, JSONCodec } from "nats";

const [agency, office] = process.env.NETRAL_AGENCY.split("/");
const durable = office ? `${agency}-${office.replace(/[:.]/g, "-")}` : agency;
const ca = process.env.NETRAL_BROKER_CA;
const nc = await connect({
  servers: process.env.NETRAL_BROKER,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(process.env.NETRAL_SEED)),
  inboxPrefix: `_INBOX_${durable}`,
  maxReconnectAttempts: -1,
  pingInterval: 10_000, // else a broker whose machine vanished is noticed after minutes
  ...(ca ? { tls: { caFile: ca } } : {}),
});
const seen = new Set();
while (!nc.isClosed()) {
  for await (const message of nc.jetstream().fetch("TOLD", durable, { batch: 10, expires: 5000 })) {
    const event = JSONCodec().decode(message.data);
    if (!seen.has(event.id)) console.log(message.seq, event.type, event.data.ticket);
    seen.add(event.id);
    message.ack();
  }
}
