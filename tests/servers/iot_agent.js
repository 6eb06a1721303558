// A context source of another maker: the IoT Agent library, with one station in memory.
//
//     node iot_agent.js PORT
//
// It prints `ready` when it listens. The broker at which it registers is a stub in this process.
const http = require('node:http');
const library = require('iotagent-node-lib');

const values = { temperature: 31.5 };
const port = Number(process.argv[2]);

const broker = http.createServer((request, response) => {
  request.resume();
  response.writeHead(201, { Location: '/ngsi-ld/v1/csourceRegistrations/urn:r:1' });
  response.end();
});

function configuration(brokerPort) {
  return {
    logLevel: 'FATAL',
    contextBroker: {
      host: '127.0.0.1', port: String(brokerPort), ngsiVersion: 'ld',
      jsonLdContext: 'https://example.org/context.jsonld',
    },
    server: { host: '127.0.0.1', port },
    deviceRegistry: { type: 'memory' },
    types: {
      WeatherObserved: {
        type: 'WeatherObserved', commands: [], attributes: [],
        lazy: [{ name: 'temperature', type: 'Number' }],
        staticAttributes: [{ name: 'place', type: 'Property', value: 'roof' }],
      },
    },
    service: 'nice', subservice: '/', providerUrl: `http://127.0.0.1:${port}`,
  };
}

function fail(error) {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
}

broker.listen(0, '127.0.0.1', () => {
  library.activate(configuration(broker.address().port), (error) => {
    fail(error);
    library.setDataQueryHandler((id, type, service, subservice, attributes, done) => {
      const entity = { id, type };
      for (const name of attributes.filter((one) => one in values)) {
        entity[name] = { type: 'Property', value: values[name], unitCode: 'CEL' };
      }
      done(null, entity);
    });
    library.setDataUpdateHandler((id, type, service, subservice, attributes, done) => {
      for (const one of attributes) values[one.name] = one.value;
      done(null, { id, type, attributes });
    });
    library.setMergePatchHandler((id, type, service, subservice, attributes, done) => {
      for (const one of attributes) values[one.name] = one.value;
      done(null, { id, type, attributes });
    });
    const station = {
      id: 'roof', name: 'urn:ngsi-ld:WeatherObserved:roof', type: 'WeatherObserved',
      service: 'nice', subservice: '/', commands: [{ name: 'reset', type: 'command' }],
      lazy: [{ name: 'temperature', type: 'Number' }],
    };
    library.register(station, (refused) => {
      fail(refused);
      console.log('ready');
    });
  });
});
