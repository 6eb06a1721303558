"""Clients of the servers that territories have; all of them stand on `http.HttpClient`."""
