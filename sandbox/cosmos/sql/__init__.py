"""Cosmos DB's query language: text to tokens to a typed tree to closures over documents."""
