"""The durable record of usage. The only room that speaks SQL."""
