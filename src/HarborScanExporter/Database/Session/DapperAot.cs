// Queries are bound at compile time: reflection would not survive the native build.
[module: Dapper.DapperAot]
