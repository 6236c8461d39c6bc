"""Our own edge: the VCL, and the command line that starts varnishd with it."""
