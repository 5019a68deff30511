// Signals between components. Everything about the queues comes from ../topology.json, from which the sandbox makes its
// own: they cannot drift apart.
param suffix string
param location string
param tags object
param workspaceId string

@description('Premium: private endpoints, zones, steady latency. Standard: 1,000 credits a second at most, no private endpoints.')
@allowed(['Standard', 'Premium'])
param tier string

@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param capacity int
param publicNetwork bool
param locked bool

@description('Principals by component.')
param principals object

@description('What each component may do, as in ../components.json.')
param components object[]

var topology = loadJsonContent('../topology.json')
var queueNames = map(topology.serviceBus.queues, each => each.name)
// To send and to receive are two rights, each on one queue; nobody may manage (no Data Owner).
var roles = {
  send: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
  receive: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0' // Azure Service Bus Data Receiver
}
var grants = flatten(map(components, each =>
  concat(
    map(each.sends, name => { component: each.name, queue: name, role: 'send' }),
    map(each.receives, name => { component: each.name, queue: name, role: 'receive' })
  )))

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-knutepunkt-${suffix}'
  location: location
  tags: tags
  sku: tier == 'Premium' ? { name: tier, tier: tier, capacity: capacity } : { name: tier, tier: tier }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    // Premium is zone redundant by itself where the region has zones; named so that nobody has to wonder.
    zoneRedundant: tier == 'Premium'
    // Can only be chosen when the namespace is made.
    premiumMessagingPartitions: tier == 'Premium' ? 1 : 0
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for each in topology.serviceBus.queues: {
    parent: namespace
    name: each.name
    properties: {
      requiresSession: each.requiresSession
      lockDuration: each.lockDuration
      maxDeliveryCount: each.maxDeliveryCount
      defaultMessageTimeToLive: each.defaultMessageTimeToLive
      // Expired signals are kept for people to see, not dropped.
      deadLetteringOnMessageExpiration: each.deadLetteringOnMessageExpiration
      requiresDuplicateDetection: each.requiresDuplicateDetection
      maxSizeInMegabytes: 5120
      // A partitioned queue keeps order within a session only; sessions are all the order needed, but Premium has none.
      enablePartitioning: false
      // Scheduled signals must not vanish with an idle queue.
      autoDeleteOnIdle: 'P10675199DT2H48M5.4775807S'
      status: 'Active'
    }
  }
]

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in grants: {
    name: guid(namespace.id, each.queue, each.component, each.role)
    scope: queue[indexOf(queueNames, each.queue)]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[each.role])
      principalId: principals[each.component]
      principalType: 'ServicePrincipal'
      description: 'knutepunkt ${each.component}: ${each.role} ${each.queue}'
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: concat(
      [{ category: 'OperationalLogs', enabled: true }],
      // Only Premium has them.
      tier == 'Premium'
        ? [
            { category: 'RuntimeAuditLogs', enabled: true }
            { category: 'VNetAndIPFilteringLogs', enabled: true }
          ]
        : []
    )
    // Exported metrics lose the queue's name; alerts on queues are therefore metric alerts.
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: namespace
  properties: { level: 'CanNotDelete', notes: 'What waits in the queues is on its way to a receiver.' }
}

output id string = namespace.id
output name string = namespace.name
output host string = '${namespace.name}.servicebus.windows.net'
