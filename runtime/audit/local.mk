runtime_audit_sources =
