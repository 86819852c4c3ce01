// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each callback of the list in {@link Callback} throws in each of its calls in turn. What it threw comes out once, the
 * device whose callback it was needs a reset and says why, no other device's queue is harmed, and after a reset
 * everything serves as new. What an observer of the IOMMU threw is counted instead, and nothing else happens.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ThrowingCallbackTest {

    private static final int MOST_CALLS = 200;

    /** So many calls throw in turn; of those behind them every {@link #STRIDE}th, unless all are asked for. */
    private static final int FIRST_CALLS = 12;
    private static final int STRIDE = 17;
    private static final boolean ALL_CALLS = System.getProperty("virtio4j.callbacks", "").equals("full");

    /** Where each call takes a reset. */
    private static final int FEWER_CALLS = 40;
    private static final int DISK_SIZE = 1 << 16;

    @TempDir
    private @Nullable Path folder;

    private final CallbackTrap trap = new CallbackTrap();
    private Thread.@Nullable UncaughtExceptionHandler before;

    /** What comes out of a worker ends up here. */
    @BeforeEach
    void listen() {
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> trap.out(failure));
    }

    @AfterEach
    void listenNoMore() {
        Thread.setDefaultUncaughtExceptionHandler(before);
    }

    static Stream<Arguments> callbacks() {
        List<Arguments> all = new ArrayList<>();
        for (Callback callback : Callback.values()) {
            for (boolean pci : new boolean[] {false, true}) {
                boolean reached = pci || callback.route == Callback.Route.ANY || callback.route == Callback.Route.LINE;
                if (reached && callback != Callback.IDLE_STRATEGY) {
                    all.add(Arguments.of(callback, pci, false));
                }
                if (reached && callback.onWorker()) {
                    all.add(Arguments.of(callback, pci, true));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, PCI {1}, worker {2}")
    @MethodSource("callbacks")
    @DisplayName("2.1.2: whatever throws, in whichever call, ends one queue's service until the next reset")
    void shouldSurviveEachCallThatThrows(Callback callback, boolean pci, boolean worker) throws IOException {
        Path file = Objects.requireNonNull(folder).resolve("disk.img");
        Files.write(file, new byte[DISK_SIZE]);
        try (CallbackMachine machine = new CallbackMachine(callback, trap, pci, worker, file)) {
            for (CallbackTrap.Kind kind : CallbackTrap.Kind.values()) {
                int calls = failEach(callback, kind, machine::run, MOST_CALLS, false, machine);
                assertTrue(calls > 0, "was never called");
            }
            int ignored = failEach(callback, CallbackTrap.Kind.EXCEPTION, machine::run, MOST_CALLS, true, machine);
            failLong(callback, machine, worker);
        }
    }

    /** One thing that calls it, again and again; what only starts and resets call is called less often. */
    private void failLong(Callback callback, CallbackMachine machine, boolean worker) {
        machine.recover();
        CallbackSetUp.Step often = machine.often();
        CallbackSetUp.Step step = often != null ? often : machine.seldom();
        assertNotNull(step, "is called by nothing that can be repeated");
        int most = often != null ? callback.mostCalls() : FEWER_CALLS;
        // With a worker each request takes two switches of threads; an Error is what could end the worker.
        List<CallbackTrap.Kind> kinds = worker ? List.of(CallbackTrap.Kind.ERROR)
                : List.of(CallbackTrap.Kind.values());
        for (CallbackTrap.Kind kind : kinds) {
            int calls = failEach(callback, kind, () -> machine.runAgain(step, most), most, false, machine);
            // A worker shows its answer before it raises: who resets the queue in between leaves nothing to withdraw.
            assertTrue(worker ? calls > most / 2 : calls == most, "was called in " + calls + " of " + most);
        }
    }

    /** Throws in one call after the other, each time after those before it had not; returns how many there were. */
    private int failEach(Callback callback, CallbackTrap.Kind kind, BooleanSupplier run, int most, boolean persists,
            CallbackMachine machine) {
        for (int call = 1; call <= most; call += ALL_CALLS || call < FIRST_CALLS ? 1 : STRIDE) {
            trap.arm(callback, kind, call, persists);
            if (!run.getAsBoolean()) {
                trap.stop();
                return call - 1;
            }
            machine.check(callback + " " + kind + " in call " + call + (persists ? " and all that follow" : ""),
                    persists);
            machine.recover();
        }
        return most;
    }
}
