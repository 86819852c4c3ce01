// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is closed at the end, whatever some of it throws or waits for. */
@Timeout(60)
class ClosingTest {

    private static final int PARTS = 8;

    private final Closing closing = new Closing();

    @Test
    void shouldCloseTheRestWhenSomethingThrows() {
        AtomicInteger closed = new AtomicInteger();
        IOException first = new IOException("first");
        closing.one(() -> {
            throw first;
        });
        closing.one(() -> {
            throw new IllegalStateException("second");
        });
        closing.one(closed::incrementAndGet);
        assertEquals(1, closed.get());
        assertSame(first, assertThrows(IOException.class, closing::finish));
    }

    @Test
    void shouldTellOfAnUncheckedExceptionToo() {
        IllegalStateException thrown = new IllegalStateException("iommu=closed");
        Closing.Step throwing = () -> {
            throw thrown;
        };
        closing.allAtOnce(List.of(throwing));
        assertSame(thrown, assertThrows(IOException.class, closing::finish).getCause());
    }

    @Test
    void shouldLetNobodyWaitForAnother() throws IOException {
        CyclicBarrier all = new CyclicBarrier(PARTS);
        Closing.Step waiting = () -> {
            try {
                int ignored = all.await();
            } catch (InterruptedException | BrokenBarrierException unexpected) {
                throw new IllegalStateException(unexpected);
            }
        };
        closing.allAtOnce(Collections.nCopies(PARTS, waiting));
        closing.finish();
    }
}
