// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

/**
 * What a driver asks of a virtio transport, whichever it is: each call is one or a few accesses to the device's
 * registers (virtio 1.4, chapter 4). One implementation makes them for virtio-mmio, another for virtio over PCI.
 *
 * <p>A transport has no lock: setting up is for one thread at a time, while {@link #notifyQueue} of a
 * queue that was enabled may come from any. Once its queues were enabled a transport allocates nothing, apart from
 * what {@link #readConsistently} is given.
 */
public interface DriverTransport {

    /**
     * What kind of device was found.
     *
     * @return a number as in {@link org.virtio4j.wire.DeviceType}
     */
    int deviceType();

    /**
     * Reads the device status.
     *
     * @return a sum of {@link org.virtio4j.wire.DeviceStatus} bits
     */
    int status();

    /**
     * Writes the device status, nothing else; see {@link VirtioDriver} for what belongs to each step.
     *
     * @param status a sum of {@link org.virtio4j.wire.DeviceStatus} bits, or 0 to reset; a transport may still be at it
     *               when this returns, until {@link #status} reads 0
     */
    void writeStatus(int status);

    /**
     * Reads 32 of the features that the device offers.
     *
     * @param word which, 0 to 3; beyond that a device shows 0
     * @return bits {@code 32 * word} and up
     */
    int offeredFeatures(int word);

    /**
     * Writes 32 of the features that the driver accepts.
     *
     * @param word which, 0 to 3
     * @param bits bits {@code 32 * word} and up
     */
    void acceptFeatures(int word, int bits);

    /**
     * Reads how large a queue may be. That is certain of a queue that was not enabled since the last reset: over PCI a
     * size that was chosen takes the place of the largest one.
     *
     * @param queue index of the queue
     * @return entries, 0 where there is no such queue
     */
    int queueSizeMax(int queue);

    /**
     * Reads whether a queue is enabled.
     *
     * @param queue index of the queue
     * @return true once it is
     */
    boolean queueReady(int queue);

    /**
     * Writes size and addresses of a queue and enables it.
     *
     * @param queue          index of the queue
     * @param size           entries
     * @param descriptorArea address of the descriptor table, as the device sees memory
     * @param driverArea     address of the available ring, as the device sees memory
     * @param deviceArea     address of the used ring, as the device sees memory
     * @return whether the device says that the queue is enabled
     */
    boolean enableQueue(int queue, int size, long descriptorArea, long driverArea, long deviceArea);

    /**
     * Disables a queue, where the transport can: virtio-mmio does, over PCI a driver must not.
     *
     * @param queue index of the queue
     * @return whether the device says that it is disabled; false, with the queue as it was, where the transport cannot
     */
    boolean disableQueue(int queue);

    /**
     * Resets one queue, which needs {@code VIRTIO_F_RING_RESET}, and waits for the device to say that it is done.
     *
     * @param queue index of the queue
     * @return whether it is: the queue is then disabled, and its memory belongs to the driver again
     */
    boolean resetQueue(int queue);

    /**
     * Kicks: notifies the device of available buffers.
     *
     * @param queue index of the queue
     */
    void notifyQueue(int queue);

    /**
     * Reads the configuration generation.
     *
     * @return a number that differs when the configuration has changed
     */
    int configGeneration();

    /**
     * How much of the device configuration can be read.
     *
     * @return bytes that the transport has room for, at least as many as the device has; 0 where there is none
     */
    long configSize();

    /**
     * Reads a field of the device configuration. A field of 8 bytes is read in two halves, as the specification asks,
     * and may be torn: {@link #readConsistently} tells.
     *
     * @param offset bytes from the start of the configuration
     * @param width  of the field in bytes: 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    long readConfig(long offset, int width);

    /**
     * Writes a field of the device configuration, a field of 8 bytes in two halves.
     *
     * @param offset bytes from the start of the configuration
     * @param width  of the field in bytes: 1, 2, 4 or 8
     * @param value  its low {@code width} bytes count
     */
    void writeConfig(long offset, int width, long value);

    /**
     * Reads which events the device has raised an interrupt for, and acknowledges them. Over PCI that is what stands
     * behind the interrupt pin; messages tell by their vector.
     *
     * @return a sum of 1 for used buffers and 2 for a changed configuration, which both transports agree on
     */
    int takeInterrupts();

    /**
     * Runs reads of the configuration until none of them can have seen a change half-way: until the configuration
     * generation after them is the one before (section 2.5.1).
     *
     * @param reads reads the configuration; may run several times
     * @return false if the device changed its configuration each of 1,000 times
     */
    default boolean readConsistently(Runnable reads) {
        return readConsistently(1_000, reads);
    }

    /**
     * The same with another limit, for reads that take long.
     *
     * @param most  how often they may run
     * @param reads reads the configuration
     * @return false if the device changed its configuration each time
     */
    default boolean readConsistently(int most, Runnable reads) {
        for (int i = 0; i < most; i++) {
            int before = configGeneration();
            reads.run();
            if (configGeneration() == before) {
                return true;
            }
        }
        return false;
    }
}
