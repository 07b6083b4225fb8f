"""A Kafka broker in small: the topics of the group-created events, and how far their consumers are."""
