//! The fields of the options, once for all bindings that read them one by one.

/// Calls a macro with every record of options and its fields. The types are those of the caller: it has an `Aws`, `Ecs`, `Pods`
/// and `RenamePatterns` for what holds other options, and a `Wait` for an `Option<Duration>`.
#[macro_export]
macro_rules! with_option_fields {
    ($declare:ident) => {
        $declare! {
            RepositoryOptions {
                base_path: Option<String>,
                allow_partial: bool,
                remote_store: Option<String>,
                remote_store_base_path: Option<String>,
                recovery_source: bool,
                max_document_bytes: Option<u64>,
            }
            AwsOptions {
                service: String,
                region: Option<String>,
                profile: Option<String>,
                role: Option<String>,
                external_id: Option<String>,
                role_session: Option<String>,
                domain: Option<String>,
                account: Option<String>,
                collection: Option<String>,
            }
            ClusterOptions {
                endpoints: Vec<String>,
                user: Option<String>,
                password: Option<String>,
                api_key: Option<String>,
                token: Option<String>,
                ca_file: Option<String>,
                client_certificate: Option<String>,
                client_key: Option<String>,
                allow_insecure: bool,
                compression: Option<String>,
                timeout: Wait,
                allowed_exceptions: Vec<String>,
                server_ids: Option<String>,
                user_agent_extra: Option<String>,
                aws: Aws,
            }
            EcsFleet {
                cluster: String,
                service: String,
                region: Option<String>,
                endpoint: Option<String>,
                profile: Option<String>,
                role: Option<String>,
                external_id: Option<String>,
                shared_folders: bool,
            }
            KubernetesFleet {
                deployment: String,
                namespace: Option<String>,
                kubeconfig: Option<String>,
                context: Option<String>,
                shared_folders: bool,
            }
            GradualOptions {
                step: Option<u32>,
                settle: Wait,
                max_cpu_percent: Option<u8>,
                max_heap_percent: Option<u8>,
                max_queue_percent: Option<u8>,
                max_queue_requests: Option<u64>,
                min_free_disk_bytes: Option<u64>,
                worst_status: Option<String>,
            }
            RateLimits {
                documents_per_second: Option<u64>,
                bytes_per_second: Option<u64>,
            }
            FailedFilter {
                indices: Vec<String>,
                classes: Vec<String>,
            }
            RenamePattern {
                pattern: String,
                replacement: String,
            }
            BackfillOptions {
                target: String,
                repository: Option<String>,
                snapshot: Option<String>,
                repository_options: RepositoryOptions,
                target_options: ClusterOptions,
                coordinator: Option<String>,
                coordinator_options: ClusterOptions,
                state: Option<String>,
                ecs: Ecs,
                kubernetes: Pods,
                session: Option<String>,
                indices: Vec<String>,
                exclude: Vec<String>,
                max_docs_per_shard: Option<u64>,
                split_bytes: Option<u64>,
                rename: HashMap<String, String>,
                rename_patterns: RenamePatterns,
                rename_prefix: Option<String>,
                types: Option<String>,
                create_indices: Option<String>,
                unknown_fields: Option<String>,
                replicas: Option<u32>,
                disable_refresh: bool,
                defer_replicas: bool,
                operation: Option<String>,
                workers: Option<u32>,
                lease: Wait,
                max_failed: Option<u64>,
                failed_store: Option<String>,
                from_scratch: bool,
                bulk_bytes: Option<u64>,
                bulk_documents: Option<u64>,
                bulks_in_flight: Option<u32>,
                max_docs_per_second: Option<u64>,
                max_bytes_per_second: Option<u64>,
            }
        }
    };
}
