// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/** Small traces for the tests of this package. */
final class Traces {
    static final String HEADER = "virtio4j-trace 2 iommus=2"
            + " iommu=0 page_size_mask=fffffffffffff000 input_range=0-7fffffffff domain_range=0-4294967295"
            + " probe_size=512 bypass=1 features=130000077 accepted=130000077 queues=256,256"
            + " endpoint=*:msi:fee00000-feefffff"
            + " iommu=1 page_size_mask=1000 input_range=1000-ffffffffffffffff domain_range=1-16"
            + " probe_size=64 bypass=0 features=77 accepted=7 queues=16,8"
            + " endpoint=8 endpoint=4294967295:reserved:0-fff,msi:8000000-80fffff\n";

    private Traces() {
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        }
        return out.toByteArray();
    }

    static TraceReader reader(byte[] trace) throws IOException {
        return TraceReader.of(new ByteArrayInputStream(trace), "t");
    }

    static TraceReader reader(String trace) throws IOException {
        return reader(ascii(trace));
    }

    static List<String> events(byte[] trace) throws IOException {
        List<String> events = new ArrayList<>();
        try (TraceReader reader = reader(trace)) {
            while (reader.next()) {
                events.add(reader.event().text());
            }
        }
        return events;
    }

    /** The seed of a random test: given by the property virtio4j.seed, or new; printed either way. */
    static Random random(String test) {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println(test + ": replay with -Dvirtio4j.seed=" + seed);
        return new Random(seed);
    }
}
