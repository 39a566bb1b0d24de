"""One file for each noun of the API; each route is a few lines over `services.manage` or the pipeline."""
