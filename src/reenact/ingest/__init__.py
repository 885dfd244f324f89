"""From spool to meaning to store: `decoding` turns an Exchange into a Call, `pricing` prices it, `worker` moves batches."""
