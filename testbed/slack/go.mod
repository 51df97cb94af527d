module coroner/testbed/slack

go 1.24
