// What operators open first.
param suffix string
param location string
param tags object
param workspaceId string

var workbooks = [
  { name: 'overview', title: 'Knutepunkt: overview', content: loadTextContent('../workbooks/overview.json') }
  { name: 'trace', title: 'Knutepunkt: one message', content: loadTextContent('../workbooks/trace.json') }
  { name: 'security', title: 'Knutepunkt: security', content: loadTextContent('../workbooks/security.json') }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = [
  for each in workbooks: {
    // A workbook's name must be a GUID, the same at every deployment.
    name: guid(resourceGroup().id, each.name)
    location: location
    tags: tags
    kind: 'shared'
    properties: {
      displayName: '${each.title} (${suffix})'
      category: 'workbook'
      sourceId: workspaceId
      version: 'Notebook/1.0'
      serializedData: each.content
    }
  }
]
