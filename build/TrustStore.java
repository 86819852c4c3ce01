// SPDX-License-Identifier: Apache-2.0

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes the trust store that a JDK unpacked from packages lacks: {@code TrustStore SOURCE STORE}, where SOURCE is a file
 * of certificates in PEM form, or a folder of such files ending in {@code .crt}.
 */
class TrustStore {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        int count = 0;
        for (Path file : certificateFiles(Path.of(args[0]))) {
            try (InputStream in = Files.newInputStream(file)) {
                for (Certificate certificate : factory.generateCertificates(in)) {
                    store.setCertificateEntry("authority-" + count++, certificate);
                }
            }
        }
        if (count == 0) {
            throw new IllegalArgumentException("no certificate in " + args[0]);
        }
        try (OutputStream out = Files.newOutputStream(Path.of(args[1]))) {
            store.store(out, "changeit".toCharArray());
        }
    }

    private static List<Path> certificateFiles(Path source) throws Exception {
        try (Stream<Path> files = Files.walk(source)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.equals(source) || file.toString().endsWith(".crt"))
                    .sorted()
                    .toList();
        }
    }
}
