//! PDF documents: the record of one request.
