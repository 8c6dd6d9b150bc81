"""Makes the reference pages from the code, one module a page, so that they cannot say anything else."""
