"""The pages: one module each, with a Page whose fields are all that the template of the same name may use."""
