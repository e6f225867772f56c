"""Work that is done later or elsewhere: jobs, their deliveries, and bulk runs over whole libraries."""
