"""Reports as workbooks and slides, with charts that can be edited."""
