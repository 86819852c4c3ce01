// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.MessageSink;

/**
 * Sends message-signalled interrupts of one device, from any number of threads: 32-bit DMA writes that end in a
 * doorbell region of the device's {@link DmaSpace}. If one thread sends them all, use {@link DmaHandle#send}, which
 * needs no lock.
 *
 * <p>Nothing allocates. The lock is held while the address is looked up; the {@link MessageSink} and reports of faults
 * come after it.
 */
public final class MessageSender implements AutoCloseable {

    private final ReentrantLock lock = new ReentrantLock();
    private final DmaHandle dma;
    private final MessageDelivery delivery;

    MessageSender(DmaHandle dma) {
        this.dma = dma;
        this.delivery = dma.delivery();
    }

    /**
     * Sends one message. Outside any section and under no lock, because the sink is called.
     *
     * @param iova I/O-virtual address of the doorbell
     * @param data the 32 bits to write
     * @return {@link DmaResult#OK} when the message was handed over, {@link DmaResult#BUS_ERROR} where there is no
     *         doorbell, {@link DmaResult#FAULT} where translation refused, {@link DmaResult#CLOSED} after {@link
     *         #close} and while the space's {@link DmaGate} is closed
     */
    public DmaResult send(long iova, int data) {
        DmaResult result;
        TranslateResult fault;
        @Nullable MessageSink sink;
        long address;
        lock.lock();
        try {
            dma.enter();
            try {
                result = delivery.find(iova);
                sink = delivery.sink();
                address = delivery.address();
            } finally {
                dma.leaveQuietly();
            }
            fault = delivery.takeFault();
        } finally {
            lock.unlock();
        }
        if (fault != TranslateResult.OK) {
            delivery.report(fault, iova);
        }
        delivery.deliver(sink, address, data);
        return result;
    }

    /** Ends all sending, see {@link DmaHandle#close}. */
    @Override
    public void close() {
        dma.close();
    }
}
