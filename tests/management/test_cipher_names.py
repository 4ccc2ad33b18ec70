"""Cipher suites by the names that RabbitMQ has for their parts."""

import pytest

from amq.management.cipher_names import cipher_names


@pytest.mark.parametrize(
    ("suite", "key_exchange", "cipher", "hash_name"),
    [
        ("TLS_AES_256_GCM_SHA384", "any", "aes_256_gcm", "aead"),
        ("TLS_AES_128_GCM_SHA256", "any", "aes_128_gcm", "aead"),
        ("TLS_AES_128_CCM_SHA256", "any", "aes_128_ccm", "aead"),
        ("TLS_CHACHA20_POLY1305_SHA256", "any", "chacha20_poly1305", "aead"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "ecdhe_rsa", "aes_256_gcm", "aead"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "ecdhe_ecdsa", "chacha20_poly1305", "aead"),
        ("ECDHE-ECDSA-AES128-CCM8", "ecdhe_ecdsa", "aes_128_ccm8", "aead"),
        ("ECDHE-RSA-AES128-SHA256", "ecdhe_rsa", "aes_128_cbc", "sha256"),
        ("DHE-RSA-AES256-SHA", "dhe_rsa", "aes_256_cbc", "sha"),
        ("AES128-SHA", "rsa", "aes_128_cbc", "sha"),
        ("CAMELLIA128-SHA", "rsa", "camellia128_sha", "sha"),
    ],
)
def test_a_suite_is_taken_apart(suite: str, key_exchange: str, cipher: str, hash_name: str) -> None:
    names = cipher_names(suite)
    assert (names.key_exchange, names.cipher, names.hash) == (key_exchange, cipher, hash_name)
