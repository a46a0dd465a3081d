export { ArmedFaults } from './armed.ts';
export { faultyServices } from './grpc.ts';
export { faultyRoutes, faultyStorage } from './http.ts';
