"""The steps, one module each, named by its number and never changed once shipped; `tables.REVISION` names the newest."""
