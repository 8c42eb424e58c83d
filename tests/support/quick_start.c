/* Criterion's libgit2 reads the certificates of all authorities anew for each test, which is a third of the time of most tests. It finds
 * this function here before it finds it in libmbedx509, and has none to read. */

int mbedtls_x509_crt_parse_file(void *chain, const char *path);
__attribute__((visibility("default"))) int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}
