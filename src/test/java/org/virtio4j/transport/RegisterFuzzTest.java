// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.Seeds;

/**
 * Guests that access anything anywhere, as hostile ones do and broken ones: nothing throws, what cannot be written does
 * not change, nothing is read that is wider than the access, no memory is written that the device was not given, and a
 * driver that behaves can use the device afterwards. They know nothing of registers but where some are, unlike those of
 * {@link HostileDriverTest}.
 */
@ParameterizedClass
@EnumSource
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RegisterFuzzTest {

    /** Over all devices, and all kinds of a transport. */
    private static final long ACCESSES = 10_000_000;

    private static final long ACCESSES_OF_TWO = 400_000;
    private static final int UNTIL_LIVE = 200;
    private static final int UNTIL_CHECK = 500;
    private static final int UNTIL_USE = 20_000;

    private final TransportKind kind;

    RegisterFuzzTest(TransportKind kind) {
        this.kind = kind;
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("4.1, 4.2: ten million accesses to anything do no harm")
    void shouldComeToNoHarmWhenAnythingIsAccessed(FuzzSubject subject) {
        long accesses = share();
        long done = 0;
        try (RegisterFuzz guest = new RegisterFuzz(kind, subject.make())) {
            guest.checkUse();
            RegisterFuzz.Cpu cpu = guest.new Cpu(Seeds.next());
            for (long i = 1; i <= accesses; i++) {
                cpu.access();
                done++;
                if (i % UNTIL_USE == 0) {
                    guest.checkUse();
                } else if (i % UNTIL_CHECK == 0) {
                    guest.check();
                }
                if (i % UNTIL_LIVE == 0) {
                    cpu.enliven();
                }
            }
            guest.checkUse();
        }
        assertEquals(accesses, done);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("4.1, 4.2: nor do accesses of two CPUs at once")
    void shouldComeToNoHarmWhenTwoCpusAccessAnything(FuzzSubject subject) {
        long seed = Seeds.next();
        AtomicLong done = new AtomicLong();
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        try (RegisterFuzz guest = new RegisterFuzz(kind, subject.make())) {
            RegisterFuzz.Cpu second = guest.new Cpu(seed + 1);
            Thread other = new Thread(() -> {
                for (long i = 0; i < ACCESSES_OF_TWO; i++) {
                    second.access();
                    done.incrementAndGet();
                }
            }, "second CPU");
            other.setUncaughtExceptionHandler((thread, problem) -> thrown.set(problem));
            other.start();
            RegisterFuzz.Cpu first = guest.new Cpu(seed);
            for (long i = 1; i <= ACCESSES_OF_TWO; i++) {
                first.access();
                done.incrementAndGet();
                if (i % UNTIL_LIVE == 0) {
                    // The other may be at the same registers, so that whether it is found is left to chance.
                    guest.port().find();
                    first.enliven();
                }
            }
            Parked.finish(other);
            assertNull(thrown.get(), () -> String.valueOf(thrown.get()));
            guest.checkUse();
        }
        assertEquals(2 * ACCESSES_OF_TWO, done.get());
    }

    /** How many accesses one device gets on one kind. */
    private long share() {
        long kinds = 0;
        for (TransportKind other : TransportKind.values()) {
            kinds += other.isPci() == kind.isPci() ? 1 : 0;
        }
        return Math.ceilDiv(ACCESSES, kinds * FuzzSubject.values().length);
    }
}
