"""The pages for people: sign up, keys, usage, recent requests and jobs. Rendered here, without a line of script."""
