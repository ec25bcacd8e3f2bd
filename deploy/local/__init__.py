"""The whole system on one machine: an own nats-server, a mailbox, the services, one supervisor."""
