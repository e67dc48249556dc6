// A backend around tfjs's `cpu` that counts its calls; `device` shows the counts.
export const counted = {
  kind: 'backend',
  name: 'counted',
  summary: 'Plain JavaScript, with a count of programs run.',
  options: { type: 'object', properties: {}, additionalProperties: false },
  async create(_options, { tf }) {
    // Importing a plugin has no side effects: its dependencies are loaded when it is created.
    const { tfjsAdapter } = await import('@grok/core');
    await import('@tensorflow/tfjs-backend-cpu');
    const device = `tfjs ${tf.version_core} cpu, 1 thread`;
    const inner = await tfjsAdapter({ tfjs: 'cpu', device, threads: 1, bitExact: true });
    let runs = 0;
    return {
      ...inner,
      get device() {
        return runs === 0 ? device : `${device}, ${runs} runs`;
      },
      async compile(...given) {
        const program = await inner.compile(...given);
        return {
          ...program,
          run(inputs) {
            runs++;
            return program.run(inputs);
          },
        };
      },
    };
  },
};
