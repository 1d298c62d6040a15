"""Reports as files of an office: workbooks and slides with charts that can be edited."""
