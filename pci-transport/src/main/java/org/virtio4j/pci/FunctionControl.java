// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCommand;

/**
 * Configuration space as the guest accesses it, and what its writes lead to: BARs, bus mastering, power states, the
 * routes of interrupts, the reset of the function.
 *
 * <p>Any thread. The lock guards configuration space and what is switched by it. Resets, notifications, interrupts and
 * the window on the BARs come after it was released.
 */
final class FunctionControl {

    /** What a write has led to and is to be done under no lock. */
    private record Consequences(boolean reset, boolean silenced, boolean woken) {
    }

    private final ReentrantLock lock;
    private final PciConfigSpace space;
    private final DeviceLifecycle lifecycle;
    private final FunctionInterrupts interrupts;
    private final BusMastering mastering;
    private final BarAccess bars;
    private final BarWindow window;
    private boolean ended;

    FunctionControl(ReentrantLock lock, PciConfigSpace space, DeviceLifecycle lifecycle, FunctionInterrupts interrupts,
            BusMastering mastering, BarAccess bars) {
        this.lock = lock;
        this.space = space;
        this.lifecycle = lifecycle;
        this.interrupts = interrupts;
        this.mastering = mastering;
        this.bars = bars;
        this.window = new BarWindow(lock, space, bars);
    }

    /** As {@link VirtioPciFunction#readConfig}. */
    long read(long offset, int width) {
        if (!space.isAccess(offset, width)) {
            return 0;
        }
        if (space.touchesWindowData(offset, width)) {
            window.load();
        }
        lock.lock();
        try {
            space.interruptStatus(interrupts.pending());
            return Integer.toUnsignedLong(space.read(offset, width));
        } finally {
            lock.unlock();
        }
    }

    /** As {@link VirtioPciFunction#writeConfig}. */
    void write(long offset, int width, long value) {
        if (!space.isAccess(offset, width)) {
            return;
        }
        // Whatever a callback of the embedder throws, all that the write asks for is done.
        FirstFailure failure = new FirstFailure();
        Consequences consequences = change(offset, width, (int) value, failure);
        if (consequences == null) {
            return;
        }
        if (consequences.reset) {
            failure.run(this::resetFunction);
        } else {
            follow(consequences, failure);
            if (space.touchesWindowData(offset, width)) {
                failure.run(window::store);
            }
        }
        failure.rethrow();
    }

    /** As {@link VirtioPciFunction#barAddress}. */
    long barAddress(int bar) {
        lock.lock();
        try {
            return bars.hasMemorySpace() ? space.barAddress(bar) : VirtioPciFunction.NOT_MAPPED;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link VirtioPciFunction#reset}. */
    boolean reset(ResetKind kind) {
        boolean[] complete = new boolean[1];
        FirstFailure failure = new FirstFailure();
        failure.run(() -> complete[0] = lifecycle.reset(kind));
        if (kind != ResetKind.DEVICE) {
            failure.run(this::resetRegisters);
        }
        failure.run(interrupts::awaitWithdrawn);
        failure.rethrow();
        return complete[0];
    }

    void resetFunction() {
        boolean ignored = reset(ResetKind.FUNCTION);
    }

    /** Ignores every write to configuration space from now on; {@link #resetFunction} must follow. */
    void end() {
        lock.lock();
        try {
            ended = true;
            mastering.end();
        } finally {
            lock.unlock();
        }
    }

    /** Null if the function has ended, so that nothing was written. */
    private @Nullable Consequences change(long offset, int width, int value, FirstFailure failure) {
        lock.lock();
        try {
            if (ended) {
                return null;
            }
            boolean sent = sendsMessages();
            space.write(offset, width, value);
            boolean reset = space.takeFunctionReset();
            failure.run(this::apply);
            return new Consequences(reset, sent && !sendsMessages(), mastering.resumeData());
        } finally {
            lock.unlock();
        }
    }

    private void follow(Consequences consequences, FirstFailure failure) {
        if (consequences.silenced) {
            failure.run(interrupts::awaitWithdrawn);
        }
        failure.run(interrupts::update);
        if (consequences.woken) {
            // For what was at work, or notified of, when the function fell asleep: no notification need follow.
            failure.run(lifecycle.kicks()::kickAll);
        }
    }

    private void resetRegisters() {
        lock.lock();
        try {
            space.reset();
            interrupts.resetTable();
            apply();
        } finally {
            lock.unlock();
        }
    }

    private boolean sendsMessages() {
        return mastering.isOn() && interrupts.byMessages();
    }

    /** Switches everything to what the registers say. */
    private void apply() {
        int command = space.command();
        int control = space.messageControl();
        boolean master = (command & PciCommand.BUS_MASTER) != 0;
        bars.allow((command & PciCommand.MEMORY_SPACE) != 0, !space.asleep());
        interrupts.route((control & MsixCapability.ENABLE) != 0, (control & MsixCapability.FUNCTION_MASK) != 0,
                (command & PciCommand.INTX_DISABLE) != 0);
        interrupts.hold(!master);
        // After sleep the function goes on as it was, unless the bit itself is taken away.
        mastering.set(master, space.mayMasterBus());
    }
}
