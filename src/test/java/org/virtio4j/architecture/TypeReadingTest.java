// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a type uses is found in its class file and in its source. */
class TypeReadingTest {

    /** Uses one type in each way in which a class file can name it. */
    @SuppressWarnings("unused") // all of it is for the constant pool
    private abstract static class Used extends java.util.TimerTask
            implements java.util.concurrent.Callable<java.util.Locale> {
        private List<java.util.Currency> inSignature = List.of();
        private java.util.BitSet[] inDescriptor = {};

        abstract java.util.Optional<Map.Entry<java.util.UUID, String>> inResult();

        int call(Object object) {
            return object instanceof java.util.Random ? java.util.Arrays.hashCode(new int[1]) : 0;
        }
    }

    @Test
    void shouldReadTypesAndCallsFromClassFile() throws IOException {
        try (InputStream in = Objects.requireNonNull(
                Used.class.getResourceAsStream("TypeReadingTest$Used.class"))) {
            ClassFile read = ClassFile.read(in);
            for (String name : List.of("TimerTask", "Locale", "Currency", "BitSet", "Optional", "UUID", "Random",
                    "Arrays", "BitSet")) {
                assertTrue(read.types().contains("java.util." + name), name + " in " + read);
            }
            assertTrue(read.calls().contains("java.util.Arrays.hashCode"), read.toString());
        }
    }

    @Test
    void shouldReadDescriptorFromSource() {
        assertEquals(new Requires("org.virtio4j.some", Set.of("org.virtio4j.one", "java.management", "org.jspecify"),
                        Set.of("org.virtio4j.some")),
                Requires.of("""
                        /** Requires nothing. */
                        module org.virtio4j.some {
                            requires static org.jspecify;
                            requires transitive org.virtio4j.one;
                            requires java.management;
                            exports org.virtio4j.some;
                            exports org.virtio4j.some.part to
                                    org.virtio4j.two;
                        }
                        """));
    }

    @Test
    void shouldReadTypesAndCallsFromSource() {
        SourceFile read = SourceFile.of("""
                package a;

                import static org.virtio4j.one.Static.CONSTANT;

                import org.virtio4j.one.InCode;
                import org.virtio4j.one.Nested.Inner;
                import org.virtio4j.one.InComment;

                /** Not {@link InComment}. */
                class Some { // nor org.virtio4j.one.Here
                    String text = "org.virtio4j.one.InText";
                    InCode field = org.virtio4j.two.Full.make(CONSTANT);
                    Inner inner = memory.reinterpret(1);
                }
                """);
        assertEquals(Set.of("org.virtio4j.one.Static", "org.virtio4j.one.InCode", "org.virtio4j.one.Nested",
                "org.virtio4j.two.Full"), read.types());
        assertEquals(Set.of("org.virtio4j.one.Static", "org.virtio4j.one.InCode", "org.virtio4j.one.Nested",
                "org.virtio4j.one.InComment"), read.imports());
        assertTrue(read.calls().containsAll(Set.of("?.make", "?.reinterpret")), read.toString());
    }
}
