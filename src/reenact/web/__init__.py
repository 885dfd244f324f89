"""HTML for people: one module and one template per page, each with a frozen value naming all its template may use."""
