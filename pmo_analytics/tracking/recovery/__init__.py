"""Getting a project back on track: options, solved and checked."""
