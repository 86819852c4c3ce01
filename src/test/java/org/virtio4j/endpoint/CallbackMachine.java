// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.wire.iommu.RequestType;

/** A guest that does the same each time, step by step, and what must be so after one of its callbacks threw. */
final class CallbackMachine extends CallbackSteps {

    CallbackMachine(Callback callback, CallbackTrap trap, boolean pci, boolean worker, Path file) throws IOException {
        super(callback, trap, pci, worker, file);
    }

    /** Goes through all that a guest does until something is thrown; false if nothing was. */
    boolean run() {
        for (Step step : steps()) {
            if (failsIn(step)) {
                return true;
            }
        }
        return false;
    }

    /** Does one thing again and again until something is thrown; everything must be running. */
    boolean runAgain(Step step, int most) {
        for (int i = 0; i < most; i++) {
            if (failsIn(step)) {
                return true;
            }
        }
        return false;
    }

    private boolean failsIn(Step step) {
        attempt(step);
        return trap.isOut() || trap.hasThrown();
    }

    private void attempt(Step step) {
        try {
            step.run();
        } catch (RuntimeException | Error failure) {
            trap.out(failure);
        }
        boolean ignored = Thread.interrupted();
        quiesce();
    }

    private List<Step> steps() {
        List<Step> all = new ArrayList<>();
        all.add(this::resetAll);
        all.addAll(startAll());
        all.addAll(List.of(this::useDisk, this::useEntropy, this::useOwn, this::map, this::unmapUnderDma, this::fault,
                this::useDisk, this::fault, this::useOwn, this::writeBypass, this::configure, this::moveEndpoint,
                this::resetQueue, this::useOwn, this::removeMemory, this::breakRing, this::resetAll, this::misplaceRing,
                this::resetAll, this::beRefused, this::resetAll));
        all.addAll(startAll());
        all.addAll(List.of(this::useDisk, this::useOwn, this::restart, this::useOwn, this::useDisk, this::resetAll));
        return all;
    }

    private List<Step> startAll() {
        return List.of(this::startIommu, () -> attach(DISK), () -> attach(ENTROPY), () -> attach(OWN),
                () -> start(Callback.Owner.DISK), () -> start(Callback.Owner.ENTROPY), () -> start(Callback.Owner.OWN));
    }

    /** What calls this callback most often while everything runs; null if only starts and resets do. */
    @Nullable Step often() {
        return oftenest(List.of(this::useDisk, this::useEntropy, this::useOwn, this::map, this::fault,
                this::writeBypass, this::configure, this::moveEndpoint, this::useAndResetQueue,
                this::removeMemory, this::unmapUnderDma));
    }

    /** The same among those. */
    @Nullable Step seldom() {
        return oftenest(List.of(this::restart, this::useAndStartAgain, this::startAgain,
                this::startBadlyAndAgain));
    }

    private @Nullable Step oftenest(List<Step> some) {
        Step best = null;
        int most = 0;
        for (Step step : some) {
            trap.arm(callback, CallbackTrap.Kind.EXCEPTION, 0, false);
            step.run();
            quiesce();
            if (trap.calls() > most) {
                best = step;
                most = trap.calls();
            }
        }
        trap.stop();
        return best;
    }

    private void startAgain() {
        resetAll();
        joinAgain();
        startAll().forEach(Step::run);
    }

    private void useAndResetQueue() {
        use(one());
        resetQueue();
    }

    private void useAndStartAgain() {
        DEVICES.forEach(this::use);
        fault();
        startAgain();
    }

    private void startBadlyAndAgain() {
        resetAll();
        misplaceRing();
        resetAll();
        beRefused();
        startAgain();
    }

    // What must be so after a callback threw

    /** All that is promised of the device whose callback it was, and of the others. */
    void check(String when, boolean persists) {
        Phase during = phase;
        Callback.Owner where = at;
        String message = when + ", " + during + " of " + where;
        assertTrue(trap.hasThrown(), () -> message + ": something else came out: " + trap.something());
        if (callback.told == Callback.Told.COUNTED) {
            checkCounted(message, persists, where);
            return;
        }
        CallbackTrap.until(trap::isAllOut);
        boolean serves = callback.told == Callback.Told.REASON
                && (during == Phase.SERVE || (during == Phase.START && status(callback.owner) != 0));
        if (serves) {
            CallbackGuest failed = guest(callback.owner);
            assertTrue(failed.needsReset(), () -> message + ": NEEDS_RESET is not set");
            assertTrue(failed.reason().contains(callback + " failed"), () -> message + ": " + failed.reason());
        }
        if (persists) {
            goOn(message, during, where);
        }
        trap.stop();
        CallbackTrap.until(trap::isAllOut);
        trap.checkOnce(message);
        if (during == Phase.RESET) {
            assertTrue(guest(where).isReset(), () -> message + ": never reset");
        }
        if (!persists) {
            serveOthers(message, during == Phase.SERVE, where, callback.told == Callback.Told.NOBODY);
        }
    }

    /** Nothing has come out and nothing has changed, whether the listener goes on throwing or not. */
    private void checkCounted(String message, boolean persists, Callback.Owner where) {
        if (!persists) {
            trap.stop();
        }
        serveOthers(message, phase == Phase.SERVE, where, true);
        trap.stop();
        quiesce();
        assertTrue(!trap.isOut(), () -> message + ": came out: " + trap.something());
        DEVICES.forEach(who -> assertTrue(!guest(who).needsReset(), () -> message + ": harmed " + who));
        IommuCounters counters = iommu.counters();
        assertEquals(trap.thrown(), counters.listenerFailures() - listenerFailures, message);
        assertSame(trap.lastThrown(), counters.lastListenerFailure().orElseThrow(), message);
        listenerFailures = counters.listenerFailures();
        assertEquals(requests(counters), behind.served.get(), message + ": requests that the next listener heard of");
    }

    private static long requests(IommuCounters counters) {
        return counters.unanswered() + IntStream.rangeClosed(RequestType.ATTACH, RequestType.PROBE)
                .mapToLong(counters::requests).sum();
    }

    /** The callback goes on throwing, which is its device's business alone; until that is reset, too. */
    private void goOn(String message, Phase during, Callback.Owner where) {
        serveOthers(message, during == Phase.SERVE, where, false);
        if (where == Callback.Owner.MEMORY) {
            attempt(this::removeMemory);
            return;
        }
        for (int i = 0; i < 2; i++) {
            attempt(() -> guest(where).transport.notifyQueue(0));
            attempt(() -> status(where));
        }
        attempt(guest(where)::reset);
    }

    /** The queues of the other devices are served as before, unless they are behind a mirror that was expelled. */
    private void serveOthers(String message, boolean served, Callback.Owner where, boolean itself) {
        quiesce();
        for (Callback.Owner who : DEVICES) {
            boolean own = (who == callback.owner && !itself) || (isExpelled() && who != Callback.Owner.IOMMU);
            if (own || !guest(who).running || (who == where && !served) || guest(who).needsReset()) {
                continue;
            }
            use(who);
            quiesce();
            assertTrue(!guest(who).needsReset(), () -> message + ": harmed " + who);
        }
        enter(Phase.REGISTER, where);
    }

    /** All are reset, and then everything is as new. */
    void recover() {
        startAgain();
        DEVICES.forEach(this::use);
        fault();
        DEVICES.forEach(who -> assertTrue(!guest(who).needsReset(), () -> who + ": " + guest(who).reason()));
    }
}
